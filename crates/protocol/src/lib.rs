//! wire messages (generated), framing, headers, API versions, error codes, SASL payloads.
