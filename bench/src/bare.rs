//! The bare loop: reads a small request, answers with `sendfile`. What a broker cannot be faster than.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;

/// What one answer carries, as `Client::fetch` asks for.
pub const ANSWER_BYTES: usize = 1 << 20;
/// Length of a request: about that of a Fetch for one partition.
pub const REQUEST_BYTES: usize = 90;

/// Serves one connection: each request is answered with the next mebibyte of the file, around and around.
pub fn serve(file: &Path) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let file = File::open(file)?;
    let end = file.metadata()?.len();
    let mut request = [0; REQUEST_BYTES];
    let mut offset = 0;
    while stream.read_exact(&mut request).is_ok() {
        if offset + ANSWER_BYTES as u64 > end {
            offset = 0;
        }
        let stop = offset + ANSWER_BYTES as u64;
        while offset < stop {
            let left = (stop - offset) as usize;
            rustix::fs::sendfile(&stream, &file, Some(&mut offset), left)?;
        }
    }
    Ok(())
}
