//! everything HTTP: console, metrics, health, explain, later schema registry and REST.
