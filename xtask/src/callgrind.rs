//! `cargo xtask callgrind`: what decrypting costs must not tell whether the
//! padding of RSA PKCS#1 v1.5 was right (RFC 3218, RFC 8017 section 7.2.2).
//!
//! Messages that differ in nothing but the padded block inside the encrypted key
//! are opened under callgrind, which counts instructions. Compared is what the
//! decryption adds to a run in which no key fits.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::median;
use crate::run::{cargo, line, output, program, root, visible};

/// Difference that passes, in parts of the decryption.
const ALLOWED: f64 = 0.01;

/// Octets of the modulus, and of the content key of AES-128.
const MODULUS: usize = 256;
const KEY: usize = 16;

/// Makes what stands in the octets of the modulus.
type Block = fn() -> Vec<u8>;

/// A message that was written: the name of its block, and its file.
type Message = (&'static str, PathBuf);

/// The padded blocks: a name, and what stands in the `MODULUS` octets. The first
/// is in order, and holds a content key that does not fit the content: whether
/// the content comes out is public, whether the padding was right is not.
const BLOCKS: &[(&str, Block)] = &[
    ("in order, another key", || block(2, MODULUS - 3 - KEY, KEY)),
    ("block type 1", || block(1, MODULUS - 3 - KEY, KEY)),
    ("first octet not 0", || [&[1], &block(2, MODULUS - 3 - KEY, KEY)[1..]].concat()),
    ("padding of 5 octets", || block(2, 5, MODULUS - 8)),
    ("no separator", || [&[0, 2][..], &[0x5a; MODULUS - 2]].concat()),
    ("a key of 15 octets", || block(2, MODULUS - 2 - KEY, KEY - 1)),
    ("a key of 17 octets", || block(2, MODULUS - 4 - KEY, KEY + 1)),
    ("no key", || block(2, MODULUS - 3, 0)),
    // Not a one, which is its own ciphertext: aws-lc refuses what everybody sees.
    ("zeros and a two", || [vec![0; MODULUS - 1], vec![2]].concat()),
];

/// EB = 00 || BT || PS || 00 || D (RFC 8017 section 7.2.1).
fn block(kind: u8, padding: usize, key: usize) -> Vec<u8> {
    [vec![0, kind], vec![0xa5; padding], vec![0], vec![0x3c; key]].concat()
}

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask callgrind".to_owned());
    }
    let (table, equal) = table(3)?;
    print!("{table}");
    if equal { Ok(()) } else { Err("callgrind: a refused padding can be told from the others".to_owned()) }
}

/// The version of valgrind, if it is here.
pub(crate) fn version() -> Option<String> {
    output(program("valgrind").arg("--version")).ok().map(|text| text.trim().to_owned())
}

/// Counts every block with every provider, each as often as `repeat` says, and
/// returns a Markdown table and whether all differences pass.
pub(crate) fn table(repeat: usize) -> Result<(String, bool), String> {
    let Some(version) = version() else {
        return Err("valgrind is not here: apt-get install valgrind".to_owned());
    };
    visible(cargo().args(["build", "--quiet", "--release"]))?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the messages: {error}"))?;
    let (stranger, messages) = messages(folder.path())?;
    let mut text = format!(
        "Instructions of `waxseal open`, median of {repeat}, by {version}; the decryption is what they are more than \
         without a key that fits.\n\n| padded block | provider | instructions | decryption | difference |\n\
         |---|---|---:|---:|---:|\n"
    );
    let mut equal = true;
    for provider in ["rustcrypto", "aws-lc"] {
        let count = |message: &Path| -> Result<u64, String> {
            let counts = (0..repeat).map(|_| instructions(message, provider)).collect::<Result<Vec<_>, _>>()?;
            median(&counts).ok_or_else(|| "nothing was counted".to_owned())
        };
        let without = count(&stranger)?;
        let mut good = None;
        for (name, message) in &messages {
            let total = count(message)?;
            let own = total.saturating_sub(without);
            let reference = *good.get_or_insert(own);
            let difference = (own as f64 - reference as f64) / reference as f64;
            equal &= difference.abs() <= ALLOWED && own > 0;
            text.push_str(&format!("| {name} | {provider} | {total} | {own} | {:+.3} % |\n", difference * 100.0));
        }
    }
    Ok((text, equal))
}

/// A message for somebody else, and one for each block.
fn messages(folder: &Path) -> Result<(PathBuf, Vec<Message>), String> {
    let pki = root().join("vectors/pki");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let content = folder.join("content");
    fs::write(&content, "Content-Type: text/plain\r\n\r\nHello.\r\n").map_err(failed)?;
    let encrypt = |name: &str, certificate: &str| -> Result<_, String> {
        let path = folder.join(name);
        let mut command = program("openssl");
        command.args(["cms", "-encrypt", "-aes-128-cbc", "-outform", "DER", "-in"]).arg(&content);
        output(command.arg("-out").arg(&path).arg(pki.join(certificate)))?;
        Ok(path)
    };
    let stranger = encrypt("stranger", "bob.cert.pem")?;
    let message = fs::read(encrypt("whole", "alice.cert.pem")?).map_err(failed)?;
    // The encrypted key is the one OCTET STRING of this length.
    let header = [0x04, 0x82, 0x01, 0x00];
    let at = message.windows(header.len()).position(|window| window == header);
    let at = at.ok_or("openssl wrote no encrypted key of 256 octets")? + header.len();
    let mut messages = Vec::new();
    for (index, (name, block)) in BLOCKS.iter().enumerate() {
        let (plain, encrypted) = (folder.join("block"), folder.join("encrypted"));
        fs::write(&plain, block()).map_err(failed)?;
        let mut command = program("openssl");
        command.args(["pkeyutl", "-encrypt", "-certin", "-inkey"]).arg(pki.join("alice.cert.pem"));
        command.args(["-pkeyopt", "rsa_padding_mode:none", "-in"]).arg(&plain).arg("-out").arg(&encrypted);
        output(&mut command)?;
        let mut octets = message.clone();
        octets[at..at + MODULUS].copy_from_slice(&fs::read(&encrypted).map_err(failed)?);
        let path = folder.join(format!("message-{index}"));
        fs::write(&path, octets).map_err(failed)?;
        messages.push((*name, path));
    }
    Ok((stranger, messages))
}

fn instructions(message: &Path, provider: &str) -> Result<u64, String> {
    let pki = root().join("vectors/pki");
    let mut command = program("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(root().join("target/release/waxseal"));
    command.arg("open").arg(message).args(["--json", "--provider", provider]);
    command.arg("--key").arg(pki.join("alice.key.pem")).arg("--cert").arg(pki.join("alice.cert.pem"));
    let ended = command.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : "));
    count.and_then(|(_, count)| count.trim().parse().ok()).ok_or_else(|| format!("{}: {said}", line(&command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_fills_the_modulus() {
        for (name, block) in BLOCKS {
            assert_eq!(block().len(), MODULUS, "{name}");
        }
        assert_eq!(block(2, 9, 1), [&[0, 2][..], &[0xa5; 9], &[0, 0x3c]].concat());
    }
}
