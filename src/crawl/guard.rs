//! Where a crawler may connect to: public addresses only, asked of the address that the connection goes to, after every resolution.
//!
//! Whoever writes a page chooses where its links lead, and whoever owns a name chooses the address behind it, at every moment anew. So
//! neither spelling nor name is judged but the address itself: private, loopback, link-local, shared (CGNAT), multicast, reserved and
//! documentation ranges are refused, and so are IPv6 addresses that carry such an IPv4 address (mapped, translated by NAT64, 6to4, Teredo).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 ranges that are not of the public internet (IANA's special-purpose registry, RFC 6890), and multicast.
static REFUSED_V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| {
    nets(&[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ])
});

/// IPv6: only global unicast (2000::/3) is public, and of that not these (RFC 6890).
static REFUSED_V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| nets(&["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"]));

/// The only part of IPv6 that is routed.
static GLOBAL_V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| nets(&["2000::/3"]));

fn nets<T: std::str::FromStr>(written: &[&str]) -> Vec<T> {
    written.iter().filter_map(|net| net.parse().ok()).collect()
}

/// Whether `address` is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|net| net.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = carried(address) {
        return is_public_v4(mapped);
    }
    GLOBAL_V6.iter().any(|net| net.contains(&address)) && !REFUSED_V6.iter().any(|net| net.contains(&address))
}

/// The IPv4 address that an IPv6 one stands for: mapped (`::ffff:0:0/96`), or translated by NAT64 (`64:ff9b::/96`, RFC 6052).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let last = |segments: [u16; 8]| Ipv4Addr::from((u32::from(segments[6]) << 16) | u32::from(segments[7]));
    let is_mapped = segments[..5] == [0; 5] && segments[5] == 0xffff;
    let is_translated = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    (is_mapped || is_translated).then(|| last(segments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().expect("an address"))
    }

    #[test]
    fn every_special_range_is_refused_at_both_of_its_ends_and_its_neighbours_are_not() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("224.0.0.0", "255.255.255.255"),
            ("::", "::1"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fe80::", "febf::1"),
            ("fec0::1", "ff02::1"),
            ("2001:db8::", "2001:db8:ffff::"),
            ("2002:7f00:1::", "2002:a00::"),
            ("2001::", "2001:0:ffff::1"),
            ("100::", "100::ffff"),
        ] {
            assert!(!public(first) && !public(last), "{first} to {last}");
        }
        for neighbour in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.32.0.0",
            "223.255.255.255",
        ] {
            assert!(public(neighbour), "{neighbour}");
        }
        assert!(public("2a01:4f8::1") && public("2606:4700::1"));
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_judged_as_what_it_is() {
        for refused in ["::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::192.168.0.1", "64:ff9b:1::1", "::127.0.0.1"] {
            assert!(!public(refused), "{refused}");
        }
        assert!(public("::ffff:93.184.216.34") && public("64:ff9b::93.184.216.34"));
    }
}
