//! Lines of a file or of stdin, read by a thread of its own.

use api::limits::kinesis::REQUEST_BYTES_MAX;
use std::io::{self, BufRead, BufReader, Read as _};
use tokio::sync::mpsc;

/// Longest line: the largest record there can be.
const LINE_BYTES_MAX: u64 = REQUEST_BYTES_MAX as u64;
/// Lines read ahead.
const LINES_AHEAD: usize = 1024;

/// Lines without their line breaks, in order; an error ends them.
pub(super) fn read(source: impl io::Read + Send + 'static) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    // Why nobody joins it: it ends with its source or with the receiver; a read of a terminal
    // cannot be broken off, and the process ends without it.
    std::thread::spawn(move || {
        let mut source = BufReader::with_capacity(1 << 16, source);
        while let Some(line) = next(&mut source).transpose() {
            let last = line.is_err();
            if sender.blocking_send(line).is_err() || last {
                return;
            }
        }
    });
    lines
}

fn next(source: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    source.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.len() as u64 > LINE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than 10 MiB"));
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &'static [u8]) -> Vec<Vec<u8>> {
        let mut source = BufReader::new(bytes);
        std::iter::from_fn(|| next(&mut source).unwrap()).collect()
    }

    #[test]
    fn lines_are_kept_as_they_are() {
        assert_eq!(all(b"a\r\n\nb\xff"), [&b"a\r"[..], b"", b"b\xff"]);
        assert!(all(b"").is_empty());
    }
}
