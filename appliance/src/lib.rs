//! The appliance: topology, tiles, and the program wirecross.
