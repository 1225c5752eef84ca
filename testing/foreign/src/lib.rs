//! Foreign clients and libraries checked against ours.
