//! Which addresses may be reached.
//!
//! What only this server can reach is none of its users' business: its own machine, the networks
//! behind it, the metadata services of clouds.

use crate::{Options, Trouble};
use base::policy::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ports from here on belong to nobody in particular.
const OPEN_PORTS: u16 = 1024;

/// What may be reached although it is internal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Addresses.
    Network(Network),
    /// A host by its name, wherever that points.
    Host(String),
}

impl Allowed {
    /// Reads an address, a network as `10.1.0.0/16`, or a host's name.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(network) = Network::parse(text) {
            return Some(Self::Network(network));
        }
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let is_host = !text.is_empty() && text.bytes().all(is_name);
        is_host.then(|| Self::Host(text.to_ascii_lowercase()))
    }
}

/// The addresses that are internal or nobody's. IPv4 in any form of IPv6 is looked at as IPv4.
const INTERNAL: [(IpAddr, u32); 28] = [
    (v4(0, 0, 0, 0), 8),
    (v4(10, 0, 0, 0), 8),
    (v4(100, 64, 0, 0), 10),
    (v4(127, 0, 0, 0), 8),
    (v4(169, 254, 0, 0), 16),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 0, 0, 0), 24),
    (v4(192, 0, 2, 0), 24),
    (v4(192, 88, 99, 0), 24),
    (v4(192, 168, 0, 0), 16),
    (v4(198, 18, 0, 0), 15),
    (v4(198, 51, 100, 0), 24),
    (v4(203, 0, 113, 0), 24),
    (v4(224, 0, 0, 0), 4),
    (v4(240, 0, 0, 0), 4),
    // Azure's wire server has a public address.
    (v4(168, 63, 129, 16), 32),
    // Unspecified, loopback, and what is left of IPv4-compatible addresses.
    (v6(0, 0), 96),
    // IPv4 translated by whoever is asked; `64:ff9b::/96` is looked at as IPv4.
    (v6(0x64, 0xff9b), 32),
    (v6(0x100, 0), 64),
    // Teredo, ORCHID and the rest of the protocols' own.
    (v6(0x2001, 0), 23),
    (v6(0x2001, 0xdb8), 32),
    (v6(0x3fff, 0), 20),
    (v6(0x5f00, 0), 16),
    // Unique local, with the metadata service of EC2.
    (v6(0xfc00, 0), 7),
    (v6(0xfe80, 0), 10),
    (v6(0xfec0, 0), 10),
    (v6(0xff00, 0), 8),
    // Relays for IPv6 over IPv4: what they lead to is looked at, too.
    (v6(0x2002, 0), 16),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(a: u16, b: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
}

/// Decides what may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Vec<Allowed>,
    is_loopback_allowed: bool,
    ports: Vec<u16>,
    internal: Vec<Network>,
}

impl Guard {
    pub(crate) fn new(options: &Options) -> Self {
        let Options { allowed, is_loopback_allowed, ports, .. } = options;
        let network = |(address, bits): &(IpAddr, u32)| {
            Network::parse(&format!("{address}/{bits}")).expect("the table holds networks")
        };
        Self {
            allowed: allowed.clone(),
            is_loopback_allowed: *is_loopback_allowed,
            ports: ports.clone(),
            internal: INTERNAL.iter().map(network).collect(),
        }
    }

    /// # Errors
    /// `Refused`.
    pub(crate) fn check_port(&self, port: u16) -> Result<(), Trouble> {
        if matches!(port, 80 | 443) || port >= OPEN_PORTS || self.ports.contains(&port) {
            return Ok(());
        }
        Err(Trouble::refused(format!("the port {port} must not be posted to")))
    }

    /// Whether a host may be reached at an address that its name points to.
    pub(crate) fn allows(&self, host: &str, address: IpAddr) -> bool {
        let address = plain(address);
        let is_listed = |allowed: &Allowed| match allowed {
            Allowed::Network(network) => network.has(address),
            Allowed::Host(name) => name.eq_ignore_ascii_case(host),
        };
        if self.allowed.iter().any(is_listed) {
            return true;
        }
        if address.is_loopback() {
            return self.is_loopback_allowed;
        }
        !self.internal.iter().any(|network| network.has(address))
    }
}

/// An address without the forms in which IPv6 writes, translates or tunnels IPv4.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let of = |high: u16, low: u16| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => of(high, low),
        // Not the unspecified address and loopback, which are IPv6's own.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => of(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(options: &Options, host: &str, address: &str) -> bool {
        Guard::new(options).allows(host, address.parse().unwrap())
    }

    #[test]
    fn what_is_internal() {
        let options = Options::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "3fff::1",
        ] {
            assert!(!allows(&options, "h", address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860::8888",
        ] {
            assert!(allows(&options, "h", address), "{address}");
        }
    }

    #[test]
    fn what_the_owner_allows() {
        let list = ["10.1.0.0/16", "fd00:1::/32", "hooks.internal"];
        let allowed = list.map(|text| Allowed::parse(text).unwrap()).to_vec();
        let options = Options { allowed, ..Options::default() };
        for (host, address, want) in [
            ("h", "10.1.2.3", true),
            ("h", "::ffff:10.1.2.3", true),
            ("h", "10.2.2.3", false),
            ("h", "fd00:1::7", true),
            ("h", "fd00:2::7", false),
            ("Hooks.Internal", "192.168.0.1", true),
            ("x.hooks.internal", "192.168.0.1", false),
            ("h", "127.0.0.1", false),
        ] {
            assert_eq!(allows(&options, host, address), want, "{host} {address}");
        }
        let options = Options { is_loopback_allowed: true, ..Options::default() };
        for (address, want) in
            [("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false)]
        {
            assert_eq!(allows(&options, "h", address), want, "{address}");
        }
        for wrong in ["", "a b", "http://a", "10.0.0.0/33", "a/b"] {
            assert_eq!(Allowed::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ports() {
        let guard = Guard::new(&Options { ports: vec![587], ..Options::default() });
        for (port, want) in [
            (80, true),
            (443, true),
            (1024, true),
            (65535, true),
            (587, true),
            (22, false),
            (25, false),
            (1023, false),
        ] {
            assert_eq!(guard.check_port(port).is_ok(), want, "{port}");
        }
    }
}
