//! Who may do what: everything that is not said here is refused.

use serde::Deserialize;

/// What a key is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads what all members hear: prices, trades without names, bars, turns of the market.
    Market,
    /// Reads that, and what concerns its accounts.
    Member,
    /// Reads what a member reads, and enters orders as a user of the venue.
    Trader,
    /// Reads everything: all accounts, who did what, the venue's figures.
    Auditor,
    /// Reads the venue's figures.
    Metrics,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing that is anybody's: whether the service lives, what it offers.
    Open,
    /// To know who the key is.
    Key,
    /// What all members hear.
    Market,
    /// What concerns accounts.
    Accounts,
    /// To enter orders.
    Orders,
    /// What concerns everybody.
    Everything,
    /// The venue's figures.
    Metrics,
    /// To have something computed of what comes along: it takes a processor's time.
    Compute,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Market,
        Self::Member,
        Self::Trader,
        Self::Auditor,
        Self::Metrics,
    ];

    /// Whether keys of this role have this right.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Open | Right::Key => true,
            Right::Market => !matches!(self, Self::Metrics),
            Right::Accounts | Right::Compute => {
                matches!(self, Self::Member | Self::Trader | Self::Auditor)
            }
            Right::Orders => matches!(self, Self::Trader),
            Right::Everything => matches!(self, Self::Auditor),
            Right::Metrics => matches!(self, Self::Auditor | Self::Metrics),
        }
    }

    /// Whether it reads of some accounts only, which its keys name.
    #[must_use]
    pub const fn has_accounts(self) -> bool {
        matches!(self, Self::Member | Self::Trader)
    }

    /// Its name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Member => "member",
            Self::Trader => "trader",
            Self::Auditor => "auditor",
            Self::Metrics => "metrics",
        }
    }
}
