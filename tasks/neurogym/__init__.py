"""NeuroGym environments as trials: probed, recognised as machines, or stepped."""
