//! Request ids: unique, not secret, cheap.
//!
//! One random seed a process; each id is the seed mixed with a counter, so that a request costs two
//! multiplications an 8 bytes and no system call.

use base::RequestId;
use base::env::Rng;
use std::sync::atomic::{AtomicU64, Ordering};

/// Length of an `x-amz-id-2` before base64, in bytes (observed: 72 to 80).
const ID2_BYTES: usize = 72;
/// Length of an `x-amz-id-2` in base64.
pub(crate) const ID2_TEXT_BYTES: usize = ID2_BYTES / 3 * 4;
/// The odd constant of Weyl's sequence that `mix` walks along.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The source of request ids.
#[derive(Debug)]
pub(crate) struct RequestIds {
    seed: (u64, u64),
    issued: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(rng: &dyn Rng) -> Self {
        let seed = u128::from_be_bytes(rng.bytes16());
        Self { seed: ((seed >> 64) as u64, seed as u64), issued: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> RequestId {
        let n = self.issued.fetch_add(1, Ordering::Relaxed).wrapping_mul(STEP);
        let high = u128::from(mix(self.seed.0.wrapping_add(n)));
        let low = u128::from(mix(self.seed.1.wrapping_add(n)));
        RequestId::from_random((high << 64 | low).to_be_bytes())
    }

    /// Writes the `x-amz-id-2` that goes with the latest ids.
    pub(crate) fn put_id2(&self, out: &mut [u8; ID2_TEXT_BYTES]) {
        let mut state = self.seed.0 ^ mix(self.issued.load(Ordering::Relaxed));
        let mut bytes = [0; ID2_BYTES];
        for chunk in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(STEP);
            chunk.copy_from_slice(&mix(state).to_be_bytes());
        }
        let text = base64_simd::Out::from_slice(out.as_mut_slice());
        let written = base64_simd::STANDARD.encode(&bytes, text);
        debug_assert_eq!(written.len(), ID2_TEXT_BYTES);
    }
}

/// The finalizer of `SplitMix64`: a bijection whose outputs pass for random.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    struct Zeros;

    impl Rng for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn ids_differ_and_are_uuids() {
        let ids = RequestIds::new(&Zeros);
        let made: HashSet<String> = (0..10_000).map(|_| ids.next().to_string()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
    }

    #[test]
    fn second_ids_are_base64_of_72_bytes() {
        let ids = RequestIds::new(&Zeros);
        let mut text = [0; ID2_TEXT_BYTES];
        ids.put_id2(&mut text);
        assert_eq!(base64_simd::STANDARD.decode_to_vec(text).unwrap().len(), ID2_BYTES);
    }
}
