//! working_hours
