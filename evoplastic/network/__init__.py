"""The rate network: neuron groups, one time step, plasticity and neuromodulation."""
