//! Credential formats: SD-JWT VC.
