//! The messages of OpenID4VCI and OpenID4VP: offers, metadata, requests, DCQL.
