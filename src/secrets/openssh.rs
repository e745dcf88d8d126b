//! The container OpenSSH keeps private keys in (`PROTOCOL.key` of OpenSSH).

pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";

/// What the container says without its passphrase.
pub(super) struct Container {
    /// A passphrase protects it.
    pub encrypted: bool,
    /// Every part of it is as it has to be.
    pub whole: bool,
    /// `ssh-ed25519`, `ssh-rsa`, …
    pub algorithm: String,
    /// Who or what it is for; only in a key that is not encrypted.
    pub comment: Option<String>,
}

/// Reads a container; `None` where the bytes are something else.
pub(super) fn read(bytes: &[u8]) -> Option<Container> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let cipher = string(&mut rest)?;
    let encrypted = cipher != b"none";
    let mut container = Container {
        encrypted,
        whole: false,
        algorithm: String::new(),
        comment: None,
    };
    container.fill(rest);
    Some(container)
}

impl Container {
    fn fill(&mut self, mut rest: &[u8]) -> Option<()> {
        string(&mut rest)?;
        string(&mut rest)?;
        let count = number(&mut rest)?;
        let mut public = string(&mut rest)?;
        self.algorithm = super::structure::plain(string(&mut public)?)?;
        let mut private = string(&mut rest)?;
        if self.encrypted {
            self.whole = count == 1 && !private.is_empty();
            return Some(());
        }
        // Two equal numbers show that the private part was opened with the right key.
        let check = number(&mut private)?;
        let again = number(&mut private)?;
        let algorithm = string(&mut private)?;
        self.whole = count == 1 && check == again && algorithm == self.algorithm.as_bytes();
        // The last string before the padding 1, 2, 3, … is the comment.
        let mut last = None;
        while let Some(part) = string(&mut private) {
            last = Some(part);
        }
        self.comment = last.and_then(super::structure::plain);
        Some(())
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut at = *rest;
    let length = number(&mut at)? as usize;
    let (head, tail) = at.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(out: &mut Vec<u8>, part: &[u8]) {
        out.extend((part.len() as u32).to_be_bytes());
        out.extend(part);
    }

    fn container(cipher: &str, second: u32) -> Vec<u8> {
        let mut public = Vec::new();
        put(&mut public, b"ssh-ed25519");
        put(&mut public, &[5; 32]);
        let mut private = Vec::new();
        private.extend(7_u32.to_be_bytes());
        private.extend(second.to_be_bytes());
        put(&mut private, b"ssh-ed25519");
        put(&mut private, &[5; 32]);
        put(&mut private, &[6; 64]);
        put(&mut private, b"ci@build");
        private.extend([1, 2, 3]);
        let mut out = MAGIC.to_vec();
        put(&mut out, cipher.as_bytes());
        put(&mut out, b"");
        put(&mut out, b"");
        out.extend(1_u32.to_be_bytes());
        put(&mut out, &public);
        put(&mut out, &private);
        out
    }

    #[test]
    fn keys_say_their_kind_and_comment() {
        let key = read(&container("none", 7)).unwrap();
        assert!(key.whole && !key.encrypted);
        assert_eq!(key.algorithm, "ssh-ed25519");
        assert_eq!(key.comment.as_deref(), Some("ci@build"));
        let locked = read(&container("aes256-ctr", 9)).unwrap();
        assert!(locked.encrypted && locked.whole && locked.comment.is_none());
        assert!(!read(&container("none", 8)).unwrap().whole);
        assert!(!read(&container("none", 7)[..90]).unwrap().whole);
        assert!(read(b"openssh").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[MAGIC, &tail].concat());
        }
    }
}
