//! What money rules must know: institutions, their keys, policy.
