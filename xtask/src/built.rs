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

/// What comes from PyPI into a folder for `PYTHONPATH`.
struct Wheel {
    /// The folder below `target/peers`.
    folder: &'static str,
    /// The package, with its version.
    package: &'static str,
    /// SHA-256 of each of its files that may be taken: one for each architecture.
    hashes: &'static [&'static str],
    /// Whether a file that has to be compiled is taken, and no other.
    is_source: bool,
    /// What it needs beside it; every version of Python has another file of it.
    beside: &'static [&'static str],
}

/// Tongsuo, as its binding to Python carries it (Apache-2.0).
const TONGSUO: Wheel = Wheel {
    folder: "tongsuo",
    package: "tongsuopy==1.0.1",
    hashes: &["daabaf13e113af1e1ffca1b5e321da40273b64a0359f9c1b1146f1d9de06ccda"],
    is_source: false,
    beside: CFFI,
};

/// pyca/cryptography (Apache-2.0 or BSD-3-Clause): manylinux 2.34 and 2.28, x86-64 and AArch64.
const PYCA: Wheel = Wheel {
    folder: "pyca",
    package: "cryptography==50.0.2",
    hashes: &[
        "9dab55f57c74c3cad24c323bacbbd04be4705ba6eb0d92e920b1fc4837ed5079",
        "4061c0079120205fb760c58acab6443e217307dcf05e3702cf970e0689972856",
        "87e9ce85beb6b328ba370cc6e6aea483c92617b4c95b1d33a49297eb662bfb04",
        "f9f6143a8c75945eb960d9eb98905a441394abfa24afaae239d514ffb2586480",
    ],
    is_source: false,
    beside: CFFI,
};

/// M2Crypto (BSD-2-Clause), compiled against the libcrypto of this machine.
const M2CRYPTO: Wheel = Wheel {
    folder: "m2crypto",
    package: "M2Crypto==0.51.0",
    hashes: &["5428f6601086a8f5e41aa70248b3b983443e7badf263551c5104ba2ec0c9d955"],
    is_source: true,
    beside: &[],
};

const CFFI: &[&str] = &["cffi==2.1.1", "pycparser==3.12"];

pub(crate) fn tongsuo() -> Result<(), String> {
    TONGSUO.install()
}

pub(crate) fn pyca() -> Result<(), String> {
    PYCA.install()
}

pub(crate) fn m2crypto() -> Result<(), String> {
    M2CRYPTO.install()
}

impl Wheel {
    fn install(&self) -> Result<(), String> {
        let target = root().join("target/peers").join(self.folder);
        make_dir(&target)?;
        let file = target.join("requirements.txt");
        let hashes: String = self.hashes.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
        std::fs::write(&file, format!("{}{hashes}\n", self.package))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let pip = |kind: [&str; 2]| {
            let mut pip = program("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--no-deps"]).args(kind).arg("--target").arg(&target);
            pip
        };
        let wheels = ["--only-binary", ":all:"];
        // What a source is compiled with may be a wheel.
        let name = self.package.split("==").next().unwrap_or(self.package);
        let kind = if self.is_source { ["--no-binary", name] } else { wheels };
        run("python3-pip", pip(kind).arg("--require-hashes").arg("-r").arg(&file))?;
        if self.beside.is_empty() { Ok(()) } else { run("python3-pip", pip(wheels).args(self.beside)) }
    }
}

/// node-forge (BSD-3-Clause or GPL-2.0: it is used under the former) and PKI.js (BSD-3-Clause), with what they need
/// (MIT, BSD-3-Clause). The file that pins them has the hash of each.
pub(crate) fn node() -> Result<(), String> {
    let target = root().join("target/peers/node");
    make_dir(&target)?;
    for name in ["package.json", "package-lock.json"] {
        let (from, to) = (root().join("harness/src/shim/script/node").join(name), target.join(name));
        std::fs::copy(&from, &to).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))?;
    }
    // Silent, it would not say either why it failed.
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run("npm", program("npm").args(install).current_dir(&target))
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
