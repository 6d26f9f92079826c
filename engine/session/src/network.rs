//! Addresses by their first bits: who may log in from where, and who may ask for what was missed.

use core::net::Ipv4Addr;
use core::str::FromStr;

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u32,
    mask: u32,
}

impl Network {
    /// The addresses of this machine.
    pub const LOOPBACK: Self = Self::around(Ipv4Addr::new(127, 0, 0, 0), 8);

    /// The addresses whose first `bits` bits are those of `address`; none if there are no such
    /// bits, or others of it are set.
    #[must_use]
    pub const fn new(address: Ipv4Addr, bits: u32) -> Option<Self> {
        if bits > u32::BITS {
            return None;
        }
        let network = Self::around(address, bits);
        if network.address != address.to_bits() {
            return None;
        }
        Some(network)
    }

    /// The network of so many bits, at most 32, that an address is in.
    const fn around(address: Ipv4Addr, bits: u32) -> Self {
        // A shift by all bits is none.
        let mask = if bits == 0 {
            0
        } else {
            u32::MAX << (u32::BITS - bits)
        };
        Self {
            address: address.to_bits() & mask,
            mask,
        }
    }

    /// Its first address.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address)
    }

    /// How many first bits its addresses share.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.mask.count_ones()
    }

    /// Whether it has this address.
    #[must_use]
    pub const fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.address
    }
}

impl core::fmt::Display for Network {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{}/{}", self.address(), self.bits())
    }
}

impl FromStr for Network {
    type Err = &'static str;

    /// Reads `10.1.2.0/24`, or `10.1.2.3` for one address. Bits behind the first ones do not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let address = address.parse().map_err(|_| "no IPv4 address")?;
        let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= 32);
        let bits = bits.ok_or("no number of bits from 0 to 32")?;
        Ok(Self::around(address, u32::from(bits)))
    }
}
