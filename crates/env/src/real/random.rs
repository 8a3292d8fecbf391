//! Randomness from the operating system.

/// Fills the buffer with bytes fit for secrets.
///
/// # Panics
/// When the system has no randomness to give: going on with predictable ids would be worse.
#[cfg(target_os = "linux")]
pub(crate) fn random(mut buffer: &mut [u8]) {
    use rustix::rand::{GetRandomFlags, getrandom};
    while !buffer.is_empty() {
        match getrandom(&mut *buffer, GetRandomFlags::empty()) {
            Ok(filled) => buffer = &mut buffer[filled..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("the system gives no randomness: {error}"),
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn random(buffer: &mut [u8]) {
    use std::io::Read;
    #[expect(clippy::disallowed_types, reason = "the device of the system's randomness")]
    let source = std::fs::File::open("/dev/urandom");
    source
        .and_then(|mut source| source.read_exact(buffer))
        .unwrap_or_else(|error| panic!("the system gives no randomness: {error}"));
}
