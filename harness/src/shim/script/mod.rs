//! Peers that are libraries in other languages: each has a shim in its own
//! language, about a page, which speaks the protocol itself.
//!
//! The scripts are part of this program and are put into the user's cache
//! directory; this process then becomes the interpreter. What scripts of one
//! language share (the loop over JSON lines, a look at a mail) is a file of that
//! language; what all on OpenSSL share, its words and what they stand for, is
//! `openssl.json`.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::faketime::Faketime;
use super::kept::{Kept, Sources};

/// A library in another language.
#[derive(Debug)]
pub struct Script {
    /// The interpreter, sought on PATH.
    interpreter: &'static str,
    /// The Debian package of the interpreter.
    package: &'static str,
    /// The script, among [`SOURCES`].
    main: &'static str,
    /// Where its library is.
    library: Library,
}

/// Where the library of a script comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    /// From a package of the distribution, with the libcrypto of OpenSSL 3 that all share.
    System,
    /// From PyPI, in a folder of `target/peers`, with that libcrypto or its own.
    Python {
        /// The name of the folder.
        folder: &'static str,
        /// Whether the package carries a libcrypto of its own.
        has_own_libcrypto: bool,
    },
    /// From npm, in `target/peers/node/node_modules`.
    Node,
}

/// Crypt::SMIME for Perl.
pub const CRYPT_SMIME: Script =
    Script { interpreter: "perl", package: "perl", main: "perl/crypt_smime.pl", library: Library::System };

/// PHP's functions `openssl_cms_*`.
pub const PHP: Script =
    Script { interpreter: "php", package: "php-cli", main: "php/openssl_cms.php", library: Library::System };

/// Ruby's `OpenSSL::PKCS7`.
pub const RUBY: Script =
    Script { interpreter: "ruby", package: "ruby", main: "ruby/openssl_pkcs7.rb", library: Library::System };

/// pyca/cryptography, which verifies nothing.
pub const PYCA: Script = Script {
    interpreter: "python3",
    package: "python3",
    main: "python/pyca.py",
    library: Library::Python { folder: "pyca", has_own_libcrypto: true },
};

/// M2Crypto for Python.
pub const M2CRYPTO: Script = Script {
    interpreter: "python3",
    package: "python3",
    main: "python/m2crypto.py",
    library: Library::Python { folder: "m2crypto", has_own_libcrypto: false },
};

/// Tongsuo, through its binding to Python.
pub const TONGSUO: Script = Script {
    interpreter: "python3",
    package: "python3",
    main: "python/tongsuo.py",
    library: Library::Python { folder: "tongsuo", has_own_libcrypto: true },
};

/// node-forge, which verifies nothing.
pub const NODE_FORGE: Script =
    Script { interpreter: "node", package: "nodejs", main: "node/forge.mjs", library: Library::Node };

/// PKI.js on the WebCrypto of Node.
pub const PKIJS: Script =
    Script { interpreter: "node", package: "nodejs", main: "node/pkijs.mjs", library: Library::Node };

/// Names a directory in the place of `target/peers`, where packages of PyPI and npm are.
const VARIABLE: &str = "WAXSEAL_PEERS";

/// The scripts, file by file.
const SOURCES: &Sources = &[
    ("openssl.cnf", include_str!("openssl.cnf")),
    ("openssl.json", include_str!("openssl.json")),
    ("perl/Shim.pm", include_str!("perl/Shim.pm")),
    ("perl/crypt_smime.pl", include_str!("perl/crypt_smime.pl")),
    ("php/shim.php", include_str!("php/shim.php")),
    ("php/openssl_cms.php", include_str!("php/openssl_cms.php")),
    ("ruby/shim.rb", include_str!("ruby/shim.rb")),
    ("ruby/openssl_pkcs7.rb", include_str!("ruby/openssl_pkcs7.rb")),
    ("python/shim.py", include_str!("python/shim.py")),
    ("python/pyca.py", include_str!("python/pyca.py")),
    ("python/m2crypto.py", include_str!("python/m2crypto.py")),
    ("python/tongsuo.py", include_str!("python/tongsuo.py")),
    ("node/shim.mjs", include_str!("node/shim.mjs")),
    ("node/forge.mjs", include_str!("node/forge.mjs")),
    ("node/pkijs.mjs", include_str!("node/pkijs.mjs")),
];

impl Script {
    /// Lets the script take the place of this process; if it returns, why it could
    /// not.
    #[must_use]
    pub fn become_it(&self) -> String {
        match self.exec() {
            Err(why) => why,
            Ok(never) => match never {},
        }
    }

    fn exec(&self) -> Result<Infallible, String> {
        let directory = Kept { name: "scripts", sources: SOURCES, beside: &[] }.directory(|_| Ok(()))?;
        let mut command = Command::new(self.interpreter);
        command.arg(directory.join(self.main)).env("LC_ALL", "C.UTF-8");
        // Anchors are those of the request; the machine's own are none.
        let none = directory.join("no-certificates");
        command.env("SSL_CERT_FILE", &none).env("SSL_CERT_DIR", &none);
        command.env_remove("OPENSSL_CONF");
        if matches!(self.library, Library::System | Library::Python { has_own_libcrypto: false, .. }) {
            command.env("OPENSSL_CONF", directory.join("openssl.cnf"));
        }
        match self.library {
            Library::System => {}
            Library::Python { folder, .. } => {
                command.env("PYTHONPATH", peer(folder)?).env("PYTHONDONTWRITEBYTECODE", "1");
            }
            Library::Node => {
                command.env("NODE_PATH", peer("node")?.join("node_modules"));
            }
        }
        if let Some(faketime) = Faketime::find() {
            faketime.lend(&mut command);
        }
        let error = command.exec();
        Err(format!("{} cannot be started (Debian: apt-get install {}): {error}", self.interpreter, self.package))
    }
}

/// The folder of a peer: below the one that [`VARIABLE`] names, or below
/// `target/peers` beside this program's own build.
fn peer(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().ok();
    // target/release/waxseal, and target/release/deps/test-0123
    let beside = own.iter().flat_map(|own| own.ancestors().skip(1).take(4)).map(|dir| dir.join("peers"));
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let mut places = named.map_or_else(|| beside.collect(), |named| vec![named]).into_iter().map(|dir| dir.join(name));
    places.find(|dir: &PathBuf| Path::is_dir(dir)).ok_or_else(|| {
        format!("{name} is not here: neither below {VARIABLE} nor in target/peers (cargo xtask test --install puts it there)")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use waxseal_verdict::{AspectName, Reason};

    use super::*;

    /// The scripts believe the table; this holds it against the contract.
    #[test]
    fn every_row_of_the_table_names_a_reason_of_its_aspect() {
        let table: Value = serde_json::from_str(include_str!("openssl.json")).unwrap();
        let rows = table["words"].as_array().unwrap();
        assert!(rows.len() > 40, "{}", rows.len());
        let mut earlier: Vec<&str> = Vec::new();
        for row in rows {
            let aspect: AspectName = serde_json::from_value(row[1].clone()).unwrap();
            let reason: Reason = serde_json::from_value(row[2].clone()).unwrap();
            assert!(reason.aspects().contains(&aspect), "{row}");
            // A row whose words hold those of one before it would never be reached.
            let words = row[0].as_str().unwrap();
            assert!(!earlier.iter().any(|before| words.contains(before)), "{row}");
            earlier.push(words);
        }
        let names: BTreeSet<&str> =
            ["cms", "pkcs7", "legacy"].iter().flat_map(|list| table[list].as_str().unwrap().split(' ')).collect();
        let known: BTreeSet<&str> = waxseal_key::algorithm::TABLE.iter().map(|row| row.name).collect();
        let own = super::super::engine::algorithms();
        let unknown: Vec<_> = names.iter().filter(|name| !known.contains(*name) && !own.contains(**name)).collect();
        assert!(unknown.is_empty(), "not in the table of algorithms: {unknown:?}");
    }

    /// OpenSSL speaks through three shims; what it says means the same in each,
    /// but for what differs between them.
    #[test]
    fn the_words_of_openssl_mean_the_same_in_every_shim() {
        const DIFFERENT: &[&str] = &[
            // In front of the decoder of base64 openssl's own command says more.
            "asn1 encoding routines::decode error",
            // s-nail prints why beside it, and a binding of OpenSSL 1.1.1 keeps nothing of it.
            "certificate verify error",
            // PKCS7_signatureVerify says it where the attribute is missing, and where the digest is another one.
            "unable to find message digest",
        ];
        use super::super::{openssl, snail, words};
        let json: Value = serde_json::from_str(include_str!("openssl.json")).unwrap();
        let ours: Vec<(&str, String)> = json["words"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let text = |at: usize| row[at].as_str().unwrap();
                (text(0), format!("{} {}", text(1), text(2)))
            })
            .collect();
        let mean = |row: &words::Row| format!("{} {}", row.aspect, row.reason);
        let meanings = |text: &str| {
            let scripts = ours.iter().find(|(words, _)| text.contains(words)).map(|(_, meaning)| meaning.clone());
            let programs = [openssl::WORDS, snail::WORDS].map(|table| words::find(table, text).map(mean));
            programs.into_iter().chain([scripts]).flatten().collect::<BTreeSet<String>>()
        };
        let all = [openssl::WORDS, snail::WORDS].into_iter().flatten().map(|row| row.words);
        let all: BTreeSet<&str> = all.chain(ours.iter().map(|(words, _)| *words)).collect();
        let different: Vec<&str> = all.into_iter().filter(|words| meanings(words).len() > 1).collect();
        assert_eq!(different, DIFFERENT);
    }

    #[test]
    fn every_script_is_among_the_sources() {
        for script in [CRYPT_SMIME, PHP, RUBY, PYCA, M2CRYPTO, TONGSUO, NODE_FORGE, PKIJS] {
            assert!(SOURCES.iter().any(|(name, _)| *name == script.main), "{}", script.main);
        }
    }
}
