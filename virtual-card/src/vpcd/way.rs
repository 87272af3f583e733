//! Who connects to whom, and where.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// An address that only this machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loopback(SocketAddr);

/// An address that is none, or that other machines may reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoopback {
    /// No numeric address with a port.
    #[error("{0:?} is no address and port: give one like 127.0.0.1:35963")]
    Unreadable(String),
    /// Not of this machine alone.
    #[error("{0} is not a loopback address: whoever reaches the port reads PINs; give 127.0.0.1:PORT or [::1]:PORT")]
    Elsewhere(SocketAddr),
}

impl Loopback {
    /// The address.
    #[must_use]
    pub const fn address(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<SocketAddr> for Loopback {
    type Error = NotLoopback;

    fn try_from(address: SocketAddr) -> Result<Self, Self::Error> {
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(NotLoopback::Elsewhere(address)) }
    }
}

impl FromStr for Loopback {
    type Err = NotLoopback;

    /// Numeric addresses only: a name may lead elsewhere tomorrow.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| NotLoopback::Unreadable(text.to_owned()))?;
        Self::try_from(address)
    }
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// vpcd listens here: the way it is installed.
    Connect(Loopback),
    /// vpcd connects to this address. It must be listened on before pcscd
    /// starts: vpcd 3.3 closes a connection that was refused, and goes on using
    /// its number.
    Listen(Loopback),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        for text in ["127.0.0.1:35963", "127.9.9.9:1", "[::1]:35964"] {
            assert_eq!(text.parse::<Loopback>().unwrap().to_string(), text);
        }
        for text in ["0.0.0.0:35963", "192.0.2.1:35963", "[::]:35963", "[2001:db8::1]:1"] {
            let refused = text.parse::<Loopback>().unwrap_err();
            assert!(refused.to_string().starts_with(&format!("{text} is not a loopback address")), "{refused}");
        }
        for text in ["localhost:35963", "127.0.0.1", "127.0.0.1:70000", ""] {
            assert_eq!(text.parse::<Loopback>(), Err(NotLoopback::Unreadable(text.to_owned())));
        }
    }
}
