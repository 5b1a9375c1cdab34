//! Files and folders that their owner alone may read: the store holds people's addresses, mails, and links that decide.
//!
//! No path is trusted: whoever could write to a loose folder may have planted a symbolic link in it, and what is written
//! through that lands where they can read it. So a folder is closed first, and a link in a file's place is refused.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// What was wrong with a path, and what to do about it.
type Outcome<T> = Result<T, String>;

fn failed<T>(doing: &str, path: &Path, error: &io::Error) -> Outcome<T> {
    Err(format!("{doing} {}: {error}", path.display()))
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink())
}

#[cfg(unix)]
mod unix {
    pub use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
}

/// Never through a link, and never waiting for whoever has the other end of a pipe.
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    unix::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// Closes an open file or folder to all but its owner. Answers whether it was open to others.
fn close_to_others(file: &File, mode: u32) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use unix::{MetadataExt, PermissionsExt};
        let found = file.metadata()?.mode() & 0o777;
        if found != mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(found & 0o077 != 0)
    }
    #[cfg(not(unix))]
    Ok(false)
}

/// Makes the folder, or takes the one that is there, with mode 0700 whatever the umask and whatever it was before.
///
/// # Errors
/// The path is a symbolic link, no folder, a folder that all share (`/tmp`), or cannot be made or closed.
pub fn folder(path: &Path) -> Outcome<()> {
    // A slash at the end of a link's name would lead through it.
    let path: PathBuf = path.components().collect();
    if is_link(&path) {
        return Err(format!(
            "{}: expected a folder, found a symbolic link, which is not followed; name the folder it leads to",
            path.display()
        ));
    }
    if let Err(error) = make(&path)
        && error.kind() != ErrorKind::AlreadyExists
    {
        return failed("making", &path, &error);
    }
    let opened = no_link(File::options().read(true)).open(&path);
    let opened = opened.or_else(|error| failed("opening", &path, &error))?;
    let found = opened.metadata().or_else(|error| failed("looking at", &path, &error))?;
    if !found.is_dir() {
        return Err(format!("{}: expected a folder, found something else", path.display()));
    }
    #[cfg(unix)]
    if unix::MetadataExt::mode(&found) & 0o1000 != 0 {
        return Err(format!("{}: expected a folder of Holdpoint's own, found one that all share", path.display()));
    }
    close_to_others(&opened, 0o700).or_else(|error| failed("closing to others", &path, &error)).map(drop)
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    unix::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The user whose folder it is, where that is another one than this process's: what root makes there, the owner cannot read.
///
/// # Errors
/// The folder cannot be looked at.
pub fn owner_but_us(folder: &Path) -> Outcome<Option<u32>> {
    #[cfg(unix)]
    {
        let found = fs::metadata(folder).or_else(|error| failed("looking at", folder, &error))?;
        let owner = unix::MetadataExt::uid(&found);
        Ok(Some(owner).filter(|owner| *owner != rustix::process::geteuid().as_raw()))
    }
    #[cfg(not(unix))]
    Ok(None)
}

/// The file, opened for reading and writing, made empty where there is none; mode 0600. Answers whether others could
/// read it until now.
///
/// # Errors
/// A symbolic link or anything else that is no file stands there, or the file cannot be made, opened or closed.
pub fn file(path: &Path) -> Outcome<(File, bool)> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    unix::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match no_link(&mut options).open(path) {
        Ok(file) => file,
        Err(_) if is_link(path) => {
            return Err(format!(
                "{}: expected a file, found a symbolic link, which is not followed; remove it",
                path.display()
            ));
        }
        Err(error) => return failed("opening", path, &error),
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(format!("{}: expected a file, found something else; remove it", path.display()));
    }
    let was_open = close_to_others(&file, 0o600).or_else(|error| failed("closing to others", path, &error))?;
    Ok((file, was_open))
}

/// The same for a file that need not be there: `None` where it is not.
///
/// # Errors
/// As of [`file()`].
pub fn file_if_there(path: &Path) -> Outcome<Option<(File, bool)>> {
    match fs::symlink_metadata(path) {
        Ok(_) => file(path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => failed("looking at", path, &error),
    }
}

/// A file's text; `None` where there is no such file.
///
/// # Errors
/// As of [`file()`], or the file cannot be read.
pub fn read(path: &Path) -> Outcome<Option<String>> {
    let Some((mut file, _)) = file_if_there(path)? else { return Ok(None) };
    let mut text = String::new();
    file.read_to_string(&mut text).or_else(|error| failed("reading", path, &error))?;
    Ok(Some(text))
}

/// Whether [`folder`] would make the folder or take the one that is there. Changes nothing. Whether this user may is not asked:
/// the engine may be another one.
///
/// # Errors
/// As of [`folder`].
pub fn could_be_folder(path: &Path) -> Outcome<()> {
    let path: PathBuf = path.components().collect();
    if is_link(&path) {
        return Err(format!(
            "{}: expected a folder, found a symbolic link, which is not followed; name the folder it leads to",
            path.display()
        ));
    }
    // The nearest that is there: what lies below it is made.
    let there = path.ancestors().find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        fs::metadata(above).ok().map(|found| (above.to_owned(), found))
    });
    let Some((there, found)) = there else { return Ok(()) };
    if !found.is_dir() {
        return Err(format!("{}: expected a folder, found something else", there.display()));
    }
    if is_the_kernels(&there) {
        return Err(format!("{}: expected a folder on a disk, found one of the kernel's own", there.display()));
    }
    #[cfg(unix)]
    if there == path && unix::MetadataExt::mode(&found) & 0o1000 != 0 {
        return Err(format!("{}: expected a folder of Holdpoint's own, found one that all share", path.display()));
    }
    Ok(())
}

/// `/proc` and `/sys`: nobody makes a folder there, root included.
fn is_the_kernels(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        const PROC: i64 = 0x9fa0;
        const SYSFS: i64 = 0x6265_6572;
        rustix::fs::statfs(folder).is_ok_and(|found| [PROC, SYSFS].contains(&found.f_type))
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// A secret's file as it lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Looked {
    pub text: String,
    /// The file's mode, where everybody may do something with it.
    pub open_mode: Option<u32>,
}

/// As [`read_named`], and changes nothing. `None` where there is no such file.
///
/// # Errors
/// The file cannot be read.
pub fn look_named(path: &Path) -> Outcome<Option<Looked>> {
    let Some((mut file, open_mode)) = opened(path)? else { return Ok(None) };
    let text = text(&mut file, path)?;
    Ok(Some(Looked { text, open_mode }))
}

/// The file with its mode, where everybody may read it. `None` where there is no such file.
fn opened(path: &Path) -> Outcome<Option<(File, Option<u32>)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return failed("opening", path, &error),
    };
    #[cfg(unix)]
    let open_mode = {
        let found = file.metadata().or_else(|error| failed("looking at", path, &error))?;
        Some(unix::MetadataExt::mode(&found) & 0o777).filter(|mode| found.is_file() && mode & 0o007 != 0)
    };
    #[cfg(not(unix))]
    let open_mode = None;
    Ok(Some((file, open_mode)))
}

fn text(file: &mut File, path: &Path) -> Outcome<String> {
    let mut text = String::new();
    file.read_to_string(&mut text).or_else(|error| failed("reading", path, &error))?;
    Ok(text)
}

/// The text of a secret's file that the settings name, wherever that is: read only, through links, since a secret's store may
/// offer it so. `None` where there is no such file.
///
/// # Errors
/// The file cannot be read, or everybody may read it and it cannot be closed to them.
pub fn read_named(path: &Path) -> Outcome<Option<String>> {
    let Some((mut file, open_mode)) = opened(path)? else { return Ok(None) };
    #[cfg(unix)]
    if let Some(mode) = open_mode {
        use unix::PermissionsExt;
        if file.set_permissions(Permissions::from_mode(mode & !0o007)).is_err() {
            return Err(format!(
                "{}: expected a secret that its owner and group alone may read, found mode {mode:o}; chmod o= {}",
                path.display(),
                path.display()
            ));
        }
    }
    text(&mut file, path).map(Some)
}

/// Writes a whole file in the place of an earlier one; on the disk when this returns. A reader sees all of it or the
/// earlier one, and a link in its place is replaced, not followed.
///
/// # Errors
/// The draft beside it cannot be made, or cannot take its place.
pub fn write(path: &Path, text: &str) -> Outcome<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let draft = path.with_file_name(name);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return failed("removing", &draft, &error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    unix::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        close_to_others(&file, 0o600)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.or_else(|error| failed("writing", &draft, &error))?;
    fs::rename(&draft, path).or_else(|error| failed("writing", path, &error))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("holdpoint-private-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        place
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn whatever_mode_was_there_the_owner_alone_may_read() {
        let place = place("modes");
        for before in [None, Some(0o777), Some(0o755), Some(0o740), Some(0o700)] {
            let at = place.join(format!("{before:?}"));
            if let Some(mode) = before {
                fs::create_dir(&at).unwrap();
                fs::set_permissions(&at, Permissions::from_mode(mode)).unwrap();
            }
            folder(&at).unwrap();
            assert_eq!(mode(&at), 0o700, "{before:?}");
        }
        for before in [None, Some(0o666), Some(0o644), Some(0o640), Some(0o600)] {
            let at = place.join(format!("file {before:?}"));
            if let Some(mode) = before {
                fs::write(&at, "kept").unwrap();
                fs::set_permissions(&at, Permissions::from_mode(mode)).unwrap();
            }
            let (_, was_open) = file(&at).unwrap();
            assert_eq!((mode(&at), was_open), (0o600, before.is_some_and(|mode| mode & 0o077 != 0)), "{before:?}");
            assert_eq!(read(&at).unwrap().unwrap(), if before.is_some() { "kept" } else { "" });
            write(&at, "new").unwrap();
            assert_eq!((mode(&at), read(&at).unwrap()), (0o600, Some("new".to_owned())));
        }
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_planted_link_is_refused_or_replaced_and_never_followed() {
        let place = place("links");
        let elsewhere = place.join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, Permissions::from_mode(0o755)).unwrap();
        symlink(&elsewhere, place.join("store")).unwrap();
        for path in [place.join("store"), place.join("store/")] {
            let why = folder(&path).unwrap_err();
            assert!(why.contains("symbolic link"), "{why}");
        }
        assert_eq!(mode(&elsewhere), 0o755);

        let (target, link) = (place.join("target"), place.join("file"));
        symlink(&target, &link).unwrap();
        for outcome in [file(&link).map(drop), file_if_there(&link).map(drop), read(&link).map(drop)] {
            let why = outcome.unwrap_err();
            assert!(why.contains("symbolic link"), "{why}");
        }
        symlink(&target, place.join("file.new")).unwrap();
        write(&link, "secret").unwrap();
        assert!(!target.exists(), "written through a link");
        assert_eq!(read(&link).unwrap().as_deref(), Some("secret"));
        fs::remove_dir_all(&place).unwrap();
    }

    /// A named secret is read where nothing may be written, through a link, and closed to everybody where that can be.
    #[test]
    fn a_named_secret_is_read_as_it_lies() {
        let place = place("named");
        let secret = place.join("secret");
        assert_eq!(read_named(&secret).unwrap(), None);
        for (before, after) in [(0o400, 0o400), (0o440, 0o440), (0o600, 0o600), (0o644, 0o640), (0o666, 0o660)] {
            let _ = fs::remove_file(&secret);
            fs::write(&secret, "told").unwrap();
            fs::set_permissions(&secret, Permissions::from_mode(before)).unwrap();
            assert_eq!((read_named(&secret).unwrap().as_deref(), mode(&secret)), (Some("told"), after), "{before:o}");
        }
        let link = place.join("link");
        symlink(&secret, &link).unwrap();
        assert_eq!(read_named(&link).unwrap().as_deref(), Some("told"));
        assert!(read_named(&place).is_err(), "a folder is no secret");
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn a_folder_that_all_share_is_left_alone() {
        let place = place("shared");
        fs::set_permissions(&place, Permissions::from_mode(0o1777)).unwrap();
        assert!(folder(&place).unwrap_err().contains("all share"));
        assert_eq!(mode(&place), 0o777);
        fs::remove_dir_all(&place).unwrap();
    }
}
