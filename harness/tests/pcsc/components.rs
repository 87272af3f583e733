//! The programs that the tests talk to, and whether they are here.

use std::path::{Path, PathBuf};

use waxseal::confine;

/// Something that may be on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// A place without a network.
    Confinement,
    /// The PC/SC daemon, and the driver of the virtual reader.
    Pcscd,
    /// opensc-tool, pkcs15-tool and pkcs11-tool.
    OpenSc,
    /// OpenSC as a PKCS #11 module.
    OpenScModule,
    /// A second program that knows PIV.
    YubicoPivTool,
    /// Keys of a PKCS #11 module in `openssl`.
    OpenSslEngine,
    /// certutil and modutil of NSS.
    NssTools,
    /// The mail program.
    Thunderbird,
}

impl Component {
    /// Why it is not here.
    pub(crate) fn examine(self) -> Result<(), String> {
        match self {
            Self::Confinement => confine::probe().map_err(|error| error.to_string()),
            Self::Pcscd => {
                program("pcscd")?;
                is_file(Path::new("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"))
            }
            Self::OpenSc => program("opensc-tool"),
            Self::OpenScModule => module().map(drop),
            Self::YubicoPivTool => program("yubico-piv-tool"),
            Self::OpenSslEngine => library("engines-3/pkcs11.so").map(drop),
            Self::NssTools => program("certutil").and_then(|()| program("modutil")),
            Self::Thunderbird => program("thunderbird"),
        }
    }
}

/// OpenSC's PKCS #11 module.
pub(crate) fn module() -> Result<PathBuf, String> {
    library("opensc-pkcs11.so")
}

/// A file below the folder of libraries of this machine's architecture.
fn library(name: &str) -> Result<PathBuf, String> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files = folders.map(|folder| folder.join(name));
    files.find(|file| file.is_file()).ok_or_else(|| format!("no {name} below /usr/lib"))
}

fn program(name: &str) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if is_here { Ok(()) } else { Err(format!("no program {name}")) }
}

fn is_file(path: &Path) -> Result<(), String> {
    if path.is_file() { Ok(()) } else { Err(format!("no file {}", path.display())) }
}
