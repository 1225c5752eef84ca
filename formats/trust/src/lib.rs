//! Trust lists, registration certificates, token status lists.
