//! The hostile CMS objects of OpenSSL's fuzz corpus: whatever they are, the
//! engine gives a verdict or refuses, and does so soon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;
use std::time::{Duration, Instant};

use support::engine::reader;
use waxseal_engine::inspect::inspect;
use waxseal_key::ProviderChoice;
use waxseal_verdict::Layer;

/// Far above what any of them takes, far below a hang.
const LONGEST: Duration = Duration::from_secs(10);

#[test]
fn no_input_makes_the_engine_panic_or_linger() {
    let Some(dir) = waxseal_testing::shared("oracles/openssl-fuzz") else { return };
    let entries = std::fs::read_dir(&dir).unwrap();
    let reader = reader(ProviderChoice::Auto);
    let mut count = 0;
    let mut bad = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let octets = std::fs::read(&path).unwrap();
        // Each as it is, and as the body of a mail that announces it.
        let mail = [&b"From: a@example.test\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"[..], &octets].concat();
        for input in [octets, mail] {
            count += 1;
            let start = Instant::now();
            let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let opened = reader.open(&mut Cursor::new(&input), None, true);
                let _ = inspect(&mut Cursor::new(&input), &reader.limits);
                opened.map(|opened| opened.verdict)
            }));
            let name = path.file_name().unwrap().to_string_lossy();
            match opened {
                Err(_) => bad.push(format!("{name}: panic")),
                // Certificates without a signer are in order; a signature or a decryption is not.
                Ok(Ok(verdict)) => {
                    let accepted = |layer: &Layer| layer.integrity.is_good() || layer.decryption.is_good();
                    bad.extend(
                        verdict.layers.iter().find(|layer| accepted(layer)).map(|layer| format!("{name}: {layer:?}")),
                    );
                }
                Ok(Err(_)) => {}
            }
            if start.elapsed() > LONGEST {
                bad.push(format!("{name}: took {:?}", start.elapsed()));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(count >= 2 * 627, "only {count} inputs in {}", dir.display());
}
