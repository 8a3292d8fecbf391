//! sockets, one file per API, security, quotas, wiring, lifecycle.
