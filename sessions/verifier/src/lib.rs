//! The verifier's side of a presentation, without I/O.
