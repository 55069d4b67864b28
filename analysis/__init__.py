"""Reading finished and running runs: tables and figures, from their records alone."""
