//! Networks of addresses, as `203.0.113.0/24` or `2001:db8::/32`.

use std::net::IpAddr;

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    /// Reads an address, alone or with the number of bits that count. Bits behind those may be set,
    /// as in `10.1.2.3/8`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &&str| bits.bytes().all(|b| b.is_ascii_digit());
        let prefix_bits = match bits {
            None => bits_max,
            Some(bits) => Some(bits).filter(digits)?.parse().ok()?,
        };
        (prefix_bits <= bits_max).then_some(Self { address, prefix_bits })
    }

    /// Whether an address is of this network; one of the other family is not.
    pub fn has(&self, address: IpAddr) -> bool {
        let differs = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            _ => return false,
        };
        differs.leading_zeros() >= self.prefix_bits
    }
}

#[cfg(test)]
mod tests {
    use super::Network;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn addresses_of_networks() {
        for (network, address, want) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.3/8", "10.255.0.1", true),
            ("10.1.2.3/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/31", "10.0.0.1", true),
            ("10.0.0.0/31", "10.0.0.2", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::1", "::1", true),
        ] {
            let found = Network::parse(network).unwrap().has(address.parse().unwrap());
            assert_eq!(found, want, "{network} {address}");
        }
        for wrong in ["", "10", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "127.*"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        /// Bit by bit.
        #[test]
        fn a_network_is_a_prefix(
            (a, b) in (any::<u128>(), any::<u128>()), bits in 0_u32..=128, is_v4 in any::<bool>(),
        ) {
            let address = |n: u128| match is_v4 {
                true => IpAddr::V4(Ipv4Addr::from_bits(n as u32)),
                false => IpAddr::V6(Ipv6Addr::from_bits(n)),
            };
            let width: u32 = if is_v4 { 32 } else { 128 };
            let read = Network::parse(&format!("{}/{bits}", address(a)));
            prop_assert_eq!(read.is_some(), bits <= width);
            let Some(network) = read else { return Ok(()) };
            prop_assert!(network.has(address(a)));
            // Addresses that differ from the bit at the prefix's end on are of it.
            let other = a ^ b.checked_shr(128 - width + bits).unwrap_or(0);
            prop_assert!(network.has(address(other)));
            let same = (0..bits).all(|n| (a ^ b) >> (width - 1 - n) & 1 == 0);
            prop_assert_eq!(network.has(address(b)), same);
        }
    }
}
