//! Network namespaces that need no cleaning up.
