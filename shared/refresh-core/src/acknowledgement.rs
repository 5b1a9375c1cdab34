//! acknowledgement
