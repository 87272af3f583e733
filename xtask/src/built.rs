//! Peers that no distribution has: built, or put together, from what a package
//! registry keeps, into `target/peers`.

use std::path::Path;
use std::process::Command;

use crate::run::{line, program, root, visible};

/// GmSSL 3.1.1: no release of it is at a registry, but this package carries its source.
const GMSSL: &str = "easy-gmssl==2.0.1";
const GMSSL_SHA256: &str = "18f74927a4a0a57c46d2912284bc0232a792a0fb8d078c2346b2a05f4b7e9607";
const GMSSL_SOURCE: &str = "easy_gmssl-2.0.1/easy_gmssl/Core/GmSSL-3.1.1";

/// The command `gmssl`, and beside it a small program for what only its library has.
pub(crate) fn gmssl() -> Result<(), String> {
    let target = root().join("target/peers/gmssl");
    let (build, bin) = (target.join("build"), target.join("bin"));
    let source = target.join(GMSSL_SOURCE);
    make_dir(&bin)?;
    make_dir(&build)?;

    let hashes = target.join("requirements.txt");
    let pinned = format!("{GMSSL} --hash=sha256:{GMSSL_SHA256}\n");
    std::fs::write(&hashes, pinned).map_err(|error| format!("{}: {error}", hashes.display()))?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--no-binary", ":all:", "-r"];
    run("python3-pip", program("python3").args(download).arg(&hashes).arg("-d").arg(&target))?;
    run("python3", program("python3").args(["-c", UNPACK]).arg(&target))?;

    // A static library: the programs can then be moved, and nothing else finds it by accident.
    let release = ["-DBUILD_SHARED_LIBS=OFF", "-DCMAKE_BUILD_TYPE=Release"];
    run("cmake", program("cmake").arg("-S").arg(&source).arg("-B").arg(&build).args(release))?;
    run("make", program("make").args(["--silent", "-j2", "-C"]).arg(&build).arg("gmssl-bin"))?;
    let helper = bin.join("gmssl-helper");
    let code = root().join("harness/src/shim/gmssl/helper.c");
    let library = build.join("bin/libgmssl.a");
    let include = format!("-I{}", source.join("include").display());
    run("gcc", program("cc").args(["-O2", &include, "-o"]).arg(&helper).arg(&code).arg(&library))?;
    let (from, to) = (build.join("bin/gmssl"), bin.join("gmssl"));
    std::fs::copy(&from, &to).map(drop).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

/// Tongsuo, as its binding to Python carries it.
const TONGSUO: &str = "tongsuopy==1.0.1";
const TONGSUO_SHA256: &str = "daabaf13e113af1e1ffca1b5e321da40273b64a0359f9c1b1146f1d9de06ccda";
/// What the binding needs; every version of Python has another file of it.
const CFFI: &[&str] = &["cffi==2.1.1", "pycparser==3.12"];

/// A folder for `PYTHONPATH`.
pub(crate) fn tongsuo() -> Result<(), String> {
    let target = root().join("target/peers/tongsuo");
    make_dir(&target)?;
    let hashes = target.join("requirements.txt");
    let pinned = format!("{TONGSUO} --hash=sha256:{TONGSUO_SHA256}\n");
    std::fs::write(&hashes, pinned).map_err(|error| format!("{}: {error}", hashes.display()))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target"];
    let pip = || {
        let mut pip = program("python3");
        pip.args(install).arg(&target);
        pip
    };
    run("python3-pip", pip().arg("--require-hashes").arg("-r").arg(&hashes))?;
    run("python3-pip", pip().args(CFFI))
}

/// Unpacks the archive.
const UNPACK: &str = "
import pathlib, sys, tarfile
target = pathlib.Path(sys.argv[1])
for archive in target.glob('*.tar.gz'):
    with tarfile.open(archive) as source:
        source.extractall(target)
";

fn make_dir(path: &Path) -> Result<(), String> {
    std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs a command that a Debian package holds.
fn run(package: &str, command: &mut Command) -> Result<(), String> {
    println!("{}", line(command));
    visible(command).map_err(|error| format!("{error} (Debian: apt-get install {package})"))
}
