//! JSON Web Keys, signatures and encryption, and the X.509 chains they travel with.
