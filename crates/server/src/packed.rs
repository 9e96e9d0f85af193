//! Bodies that come packed, of the few operations whose clients pack them.

use base::budget::Room;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use std::io::Read;
use wire::Refusal;

/// Bytes that are unpacked at a time.
const PIECE_BYTES: usize = 16 << 10;

/// Unpacks a body of at most `bytes_max`; the room of its request then covers both.
///
/// # Errors
/// Status 400 it is no gzip; 413 it unpacks to more; 503 there is no room for it.
pub(crate) fn unpack(body: &Bytes, bytes_max: usize, room: &mut Room) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(&body[..]);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(Bytes::from(unpacked)),
            Ok(count) => count,
            Err(_) => return Err(no_gzip()),
        };
        if unpacked.len() + count > bytes_max {
            return Err(too_large(bytes_max));
        }
        // What a vector that grows may take, and what the service makes of it.
        if !room.resize(room.bytes() + 2 * count) {
            return Err(no_room());
        }
        unpacked.extend_from_slice(&piece[..count]);
    }
}

/// Source: ours.
fn no_gzip() -> Refusal {
    Refusal::serialization("the body is no gzip")
}

/// Source: ours.
fn too_large(bytes_max: usize) -> Refusal {
    let text = format!("the request body unpacks to more than {bytes_max} bytes");
    Refusal { status: 413, ..Refusal::client("RequestEntityTooLargeException", text) }
}

/// Source: ours.
fn no_room() -> Refusal {
    Refusal::unavailable("too many request bodies in flight, try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::budget::{Budget, Holder};
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn unpacked(bytes: &[u8], bytes_max: usize) -> Result<Bytes, u16> {
        let share = Budget::new(1 << 20).share(Holder::Peer("127.0.0.1".parse().unwrap()));
        let mut room = share.take(1).unwrap();
        unpack(&Bytes::copy_from_slice(bytes), bytes_max, &mut room).map_err(|r| r.status)
    }

    #[test]
    fn bodies_unpack_up_to_their_bound() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&vec![b'x'; 50_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpacked(&packed, 50_000).unwrap(), vec![b'x'; 50_000]);
        assert_eq!(unpacked(&packed, 49_999), Err(413));
        assert_eq!(unpacked(&packed[..20], 50_000), Err(400), "cut");
        assert_eq!(unpacked(b"{}", 50_000), Err(400));
    }

    #[test]
    fn what_finds_no_room_is_refused() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&vec![0; 4 << 20]).unwrap();
        assert_eq!(unpacked(&packer.finish().unwrap(), 8 << 20), Err(503));
    }
}
