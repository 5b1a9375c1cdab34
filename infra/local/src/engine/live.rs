//! Time that goes on by itself.
