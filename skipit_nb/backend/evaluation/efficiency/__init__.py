"""What a skip set saves on this machine: time by stage, FLOPs, memory and energy, A beside B."""
