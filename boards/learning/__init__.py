"""A small network that learns on the FPGA, with f and f' of one unit."""
