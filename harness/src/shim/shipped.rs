//! Every shim that is part of this program, in one table: the list of SUTs, the
//! command `waxseal shim` and its help are drawn from it.

use waxseal_key::ProviderChoice;

use super::bouncycastle;
use super::engine::Engine;
use super::gmssl::GmSsl;
use super::gpgsm::GpgSm;
use super::nss::Nss;
use super::openssl::OpenSsl;
use super::script::{self, Script};
use super::serve::{Absent, Shim};
use super::snail::SNail;
use super::thunderbird::Thunderbird;

/// Name of the reference engine among the SUTs.
pub const ENGINE: &str = "engine";

/// A shim that is part of this program.
#[derive(Debug)]
pub struct Shipped {
    /// Its name as a SUT.
    pub name: &'static str,
    /// What it drives, and where that comes from, in a line.
    pub what: &'static str,
    /// Makes the shim. One whose program takes the place of this process does
    /// not return, unless it could not be started.
    pub start: fn() -> Box<dyn Shim>,
}

/// All of them; the first is the reference.
pub const SHIPPED: &[Shipped] = &[
    Shipped { name: ENGINE, what: "the reference engine: aws-lc where it can, else RustCrypto", start: engine },
    Shipped { name: "engine-rustcrypto", what: "the reference engine with RustCrypto alone", start: rustcrypto },
    Shipped { name: "openssl", what: "the program openssl, with its command cms", start: openssl },
    Shipped {
        name: "bouncycastle",
        what: "Bouncy Castle: a Java program, compiled when it is first used (Debian: libbcmail-java libbcpkix-java)",
        start: bouncycastle,
    },
    Shipped {
        name: "gmssl",
        what: "GmSSL 3: WAXSEAL_GMSSL names the directory of gmssl and gmssl-helper, or it is in target/peers/gmssl/bin",
        start: gmssl,
    },
    Shipped {
        name: "gpgsm",
        what: "gpgsm of GnuPG, with a home and an agent of its own (Debian: gpgsm)",
        start: gpgsm,
    },
    Shipped {
        name: "nss",
        what: "NSS with its program cmsutil (Debian: libnss3-tools; libfaketime for its clock)",
        start: nss,
    },
    Shipped {
        name: "crypt-smime",
        what: "Crypt::SMIME for Perl, on OpenSSL's CMS (Debian: libcrypt-smime-perl)",
        start: || script(&script::CRYPT_SMIME),
    },
    Shipped {
        name: "php",
        what: "the functions openssl_cms_* of PHP, on OpenSSL's CMS (Debian: php-cli)",
        start: || script(&script::PHP),
    },
    Shipped {
        name: "ruby",
        what: "OpenSSL::PKCS7 of Ruby, on OpenSSL's PKCS #7 (Debian: ruby)",
        start: || script(&script::RUBY),
    },
    Shipped {
        name: "pyca",
        what: "pyca/cryptography for Python, which verifies nothing: in target/peers/pyca, or WAXSEAL_PEERS names the directory above",
        start: || script(&script::PYCA),
    },
    Shipped {
        name: "m2crypto",
        what: "M2Crypto for Python, on OpenSSL's PKCS #7: in m2crypto beside it",
        start: || script(&script::M2CRYPTO),
    },
    Shipped {
        name: "tongsuo",
        what: "Tongsuo through tongsuopy, which signs with SM2: in tongsuo beside it",
        start: || script(&script::TONGSUO),
    },
    Shipped {
        name: "node-forge",
        what: "node-forge, which verifies nothing: in node/node_modules beside it",
        start: || script(&script::NODE_FORGE),
    },
    Shipped {
        name: "pkijs",
        what: "PKI.js on the WebCrypto of Node: in node/node_modules beside it",
        start: || script(&script::PKIJS),
    },
    Shipped {
        name: "thunderbird",
        what: "Thunderbird: the mail program, without a screen (Debian: thunderbird libnss3-tools)",
        start: thunderbird,
    },
    Shipped {
        name: "s-nail",
        what: "the mail program s-nail (Debian: s-nail; libfaketime for its clock)",
        start: snail,
    },
];

impl Shipped {
    /// The shim of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SHIPPED.iter().find(|shipped| shipped.name == name)
    }

    /// Whether it is the reference engine, whatever does its arithmetic: what it
    /// fails is a fault of this project.
    #[must_use]
    pub fn is_reference(name: &str) -> bool {
        waxseal_verdict::is_reference(name)
    }

    /// All names.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        SHIPPED.iter().map(|shipped| shipped.name).collect()
    }
}

fn engine() -> Box<dyn Shim> {
    Box::new(Engine::default())
}

fn rustcrypto() -> Box<dyn Shim> {
    Box::new(Engine { provider: ProviderChoice::RustCrypto })
}

fn openssl() -> Box<dyn Shim> {
    Box::new(OpenSsl::default())
}

fn bouncycastle() -> Box<dyn Shim> {
    Box::new(Absent(bouncycastle::become_it()))
}

fn gmssl() -> Box<dyn Shim> {
    Box::new(GmSsl::default())
}

fn gpgsm() -> Box<dyn Shim> {
    Box::new(GpgSm)
}

fn nss() -> Box<dyn Shim> {
    Box::new(Nss::new())
}

fn script(script: &Script) -> Box<dyn Shim> {
    Box::new(Absent(script.become_it()))
}

fn thunderbird() -> Box<dyn Shim> {
    Box::<Thunderbird>::default()
}

fn snail() -> Box<dyn Shim> {
    Box::new(SNail::new())
}
