use super::*;

fn folder(name: &str) -> std::path::PathBuf {
    let path =
        std::env::temp_dir().join(format!("axonml-checkpoint-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn numbers_keep_their_bits() {
    let folder = folder("bits");
    let path = folder.join("c");
    let value = (
        vec![0.1, -0.0, f64::MIN_POSITIVE / 3.0, f64::INFINITY],
        "text".to_owned(),
        7_u64,
    );
    save(&path, &value).unwrap();
    let found: (Vec<f64>, String, u64) = load(&path).unwrap();
    assert_eq!((&found.1, found.2), (&value.1, value.2));
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&found.0), bits(&value.0));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Every byte that changes and every byte that is missing is noticed, each with an error of its own kind.
#[test]
fn damage_is_reported_by_kind() {
    let folder = folder("damage");
    let path = folder.join("c");
    save(&path, &vec![1.5, 2.5]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let with = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        load::<Vec<f64>>(&path).unwrap_err()
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let error = with(&bytes);
        let right = match at {
            0..8 => matches!(error, CheckpointError::Foreign { .. }),
            8..12 => matches!(error, CheckpointError::Version { .. }),
            12..20 => matches!(error, CheckpointError::Size { .. }),
            _ => matches!(error, CheckpointError::Checksum { .. }),
        };
        assert!(right, "byte {at}: {error}");
    }
    for length in 8..whole.len() {
        let error = with(&whole[..length]);
        assert!(
            matches!(error, CheckpointError::Size { .. }),
            "{length}: {error}"
        );
    }
    save(&path, &"text").unwrap();
    let error = load::<Vec<f64>>(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Content { .. }), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_written_leaves_the_old_file() {
    let folder = folder("failure");
    let path = folder.join("c");
    save(&path, &1_u64).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let error = save(&path, &2_u64).unwrap_err();
    assert!(matches!(error, CheckpointError::Write { .. }), "{error}");
    assert_eq!(load::<u64>(&path).unwrap(), 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn other_settings_are_named() {
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let found = [
        setting("seed", "1"),
        setting("save_every", "5"),
        setting("clip", "3"),
    ];
    let path = Path::new("c");
    let refuse =
        |requested: &[(String, String)]| refuse_other(path, &found, requested, &["save_every"]);
    refuse(&[
        setting("seed", "1"),
        setting("save_every", "9"),
        setting("clip", "3"),
    ])
    .unwrap();
    let error = refuse(&[setting("seed", "2"), setting("clip", "3")]).unwrap_err();
    assert!(
        error.to_string().contains("seed = 1, but 2 is requested"),
        "{error}"
    );
    let error = refuse(&[setting("seed", "1")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("clip = 3, but nothing is requested"),
        "{error}"
    );
}

/// Texts, lists and lists of texts whose announced length is beyond any memory; a checksum vouches for no sender.
#[test]
fn announced_lengths_are_not_believed() {
    let long = |length: u64| {
        let mut bytes = vec![0xfd];
        bytes.extend(length.to_le_bytes());
        bytes.extend(b"abc");
        bytes
    };
    for length in [1 << 30, 1 << 40, u64::MAX] {
        let bytes = long(length);
        for refused in [
            decode::<String>(&bytes).map(|_| ()),
            decode::<Vec<u8>>(&bytes).map(|_| ()),
            decode::<Vec<String>>(&bytes).map(|_| ()),
            decode::<Vec<f64>>(&bytes).map(|_| ()),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, CheckpointError::Content { .. }), "{error}");
        }
    }
    // Many short texts and small numbers, which take least of a file, are within the limit.
    let value = (
        vec![String::new(); 5000],
        vec![0_u64; 5000],
        vec![Some(1_u8); 5000],
    );
    let found: (Vec<String>, Vec<u64>, Vec<Option<u8>>) = decode(&encode(&value).unwrap()).unwrap();
    assert_eq!(found, value);
}
