//! The whole appliance on one thread with simulated net, clock and disk.
