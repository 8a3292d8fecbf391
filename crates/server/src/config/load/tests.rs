//! Files and command lines, and what they become.
