//! A long answer whose blobs are encoded only as it is sent.
//!
//! # Cost
//!
//! What stands between the blobs is written once with the shape and copied once into a piece; a
//! blob is encoded (JSON) or copied (CBOR) straight into one. 10 MB of records are 14 MB of JSON:
//! as a whole they take that memory beside the records, and have left the processor's caches
//! before the socket reads them.

use crate::{Format, base64_bytes};
use base64_simd::STANDARD;
use bytes::Bytes;
use std::collections::VecDeque;

/// Answers from about this length on. Below, four readers' answers stay in the caches, and pieces
/// cost a twelfth (measured with 2.8 MB).
pub(crate) const LONG_BYTES: usize = 4 << 20;
/// Blobs below this are written with what stands around them.
pub(crate) const LATER_BYTES_MIN: usize = 128;
/// Base64 makes so many characters ...
const GROUP_CHARS: usize = 4;
/// ... of so many bytes.
const GROUP_BYTES: usize = 3;

/// A body that is made piece by piece; its length is known from the beginning.
#[derive(Debug)]
pub struct LongBody {
    format: Format,
    /// All but the blobs.
    text: Vec<u8>,
    /// How much of it is in pieces.
    text_taken: usize,
    blobs: VecDeque<LaterBlob>,
    bytes_left: usize,
}

/// A blob, or what is left of it, that belongs at this place of the text.
#[derive(Debug)]
pub(crate) struct LaterBlob {
    pub(crate) text_at: usize,
    pub(crate) bytes: Bytes,
}

impl LongBody {
    pub(crate) fn new(format: Format, text: Vec<u8>, blobs: Vec<LaterBlob>) -> Self {
        let encoded = |blob: &LaterBlob| {
            let bytes = blob.bytes.len();
            if format.is_text() { base64_bytes(bytes) } else { bytes }
        };
        let bytes_left = text.len() + blobs.iter().map(encoded).sum::<usize>();
        Self { format, text, text_taken: 0, blobs: blobs.into(), bytes_left }
    }

    /// Bytes of all pieces to come.
    pub fn bytes_left(&self) -> usize {
        self.bytes_left
    }

    /// Memory that it takes until it is sent: blobs as they are, and all between them.
    pub fn memory_bytes(&self) -> usize {
        self.text.len() + self.blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>()
    }

    /// The next piece; empty only at the end.
    ///
    /// `bytes_max`: its length, or up to 3 bytes less where base64 does not come out even. At least
    /// 4, or what is left.
    pub fn next_piece(&mut self, bytes_max: usize) -> Bytes {
        let mut piece = Vec::with_capacity(bytes_max.min(self.bytes_left));
        while self.append(&mut piece, bytes_max) {}
        self.bytes_left -= piece.len();
        Bytes::from(piece)
    }

    /// Appends a run of text or a blob, or what there is room for; false: there is none.
    fn append(&mut self, piece: &mut Vec<u8>, bytes_max: usize) -> bool {
        let room = bytes_max - piece.len();
        let text_end = self.blobs.front().map_or(self.text.len(), |blob| blob.text_at);
        if self.text_taken < text_end {
            let end = text_end.min(self.text_taken + room);
            piece.extend_from_slice(&self.text[self.text_taken..end]);
            self.text_taken = end;
            return room > 0;
        }
        let Some(blob) = self.blobs.front_mut() else { return false };
        let is_text = self.format.is_text();
        let most = if is_text { room / GROUP_CHARS * GROUP_BYTES } else { room };
        let part = blob.bytes.split_to(blob.bytes.len().min(most));
        if blob.bytes.is_empty() {
            self.blobs.pop_front();
        }
        if is_text {
            STANDARD.encode_append(&part, piece);
        } else {
            piece.extend_from_slice(&part);
        }
        !part.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Member;
    use crate::{Content, Writer};

    const DATA: Member = Member::new("\"Data\":");

    fn write(w: &mut Writer, blobs: &[Bytes]) {
        w.begin();
        w.key(DATA);
        w.begin_list(blobs.len());
        for blob in blobs {
            w.element();
            w.blob(blob);
        }
        w.end_list();
        w.end();
    }

    fn check(format: Format, blob_lengths: &[usize], piece_bytes_max: usize) {
        let blob = |length: &usize| (0..*length).map(|n| (n * 7 + length) as u8).collect();
        let blobs: Vec<Bytes> = blob_lengths.iter().map(blob).collect();
        let mut whole = Writer::new(format, 0);
        write(&mut whole, &blobs);
        let whole = whole.finish();

        let mut long = Writer::answer(format, LONG_BYTES);
        write(&mut long, &blobs);
        let Content::Long(mut long) = long.finish_answer() else { panic!("a short answer") };
        assert_eq!(long.bytes_left(), whole.len());
        let mut joined = Vec::new();
        loop {
            let piece = long.next_piece(piece_bytes_max);
            if piece.is_empty() {
                break;
            }
            assert!(piece.len() <= piece_bytes_max);
            joined.extend_from_slice(&piece);
            assert_eq!(long.bytes_left(), whole.len() - joined.len());
        }
        assert_eq!(joined, whole, "{format:?} {blob_lengths:?} {piece_bytes_max}");
    }

    #[test]
    fn pieces_make_the_whole() {
        let later = LATER_BYTES_MIN;
        let blob_lengths: [&[usize]; 5] =
            [&[], &[0], &[later - 1, later, later + 1, 0, 3000], &[later; 5], &[100_001]];
        for format in [Format::Json, Format::Cbor] {
            for lengths in blob_lengths {
                for piece_bytes_max in [4, 5, 6, 7, 64, 4096, 1 << 20] {
                    check(format, lengths, piece_bytes_max);
                }
            }
        }
    }

    #[test]
    fn memory_is_that_of_blobs_once() {
        let blob = Bytes::from(vec![7; 1 << 20]);
        let mut w = Writer::answer(Format::Json, LONG_BYTES);
        write(&mut w, &[blob.clone(), blob]);
        let Content::Long(long) = w.finish_answer() else { panic!("a short answer") };
        assert_eq!(long.memory_bytes(), (2 << 20) + r#"{"Data":["",""]}"#.len());
    }

    #[test]
    fn short_answers_are_whole() {
        let mut w = Writer::answer(Format::Json, LONG_BYTES - 1);
        write(&mut w, &[]);
        assert!(matches!(w.finish_answer(), Content::Whole(body) if body == r#"{"Data":[]}"#));
    }
}
