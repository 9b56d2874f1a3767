//! Sets of fibers of one's own.

use super::*;

const SQUID: &str = include_str!("../../../../examples/fibers/hodgkin_huxley.toml");

/// A recipe whose fiber file lies in a folder of the test's own.
fn squids(name: &str) -> (Recipe, PathBuf) {
    let base = folder(name);
    std::fs::create_dir_all(&base).unwrap();
    std::fs::write(base.join("squid.toml"), SQUID).unwrap();
    let recipe = Recipe {
        model: "squid.toml".into(),
        count: 6,
        diameter_um: Range::uniform(0.5, 2.0),
        ..recipe()
    };
    (recipe, base)
}

fn made_in(base: &Path, recipe: &Recipe) -> Result<Generated, DatasetError> {
    let cases = Cases::open(recipe, base)?;
    let plan = Plan::new(&cases, &device(), &recording(4), 2, &base.join("set"))?;
    generate(&cases, &device(), plan, &mut |_| (), &mut |_| ())
}

/// The manifest has the description of the fiber: a set is read without the file, extended with the same fiber only, and its
/// numbers are those of the bundled twin.
#[test]
fn a_set_holds_the_fiber_that_it_was_made_with() {
    let (recipe, base) = squids("own");
    made_in(&base, &recipe).unwrap();
    let bundled = Recipe {
        model: "hh".into(),
        ..recipe.clone()
    };
    let twin = Cases::open(&bundled, &base).unwrap();
    let set = Dataset::open(&base.join("set")).unwrap();
    let mut index = 0;
    twin.simulate(0..6, &device(), &recording(4), &mut |trace| {
        assert_eq!(trace, set.fiber(index)?);
        index += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(index, 6);

    std::fs::remove_file(base.join("squid.toml")).unwrap();
    let set = Dataset::open(&base.join("set")).unwrap();
    let kept = set.request().recipe.clone().unwrap();
    assert_eq!(kept.model.to_string(), "my-squid");
    assert_eq!(set.request().states, ["m", "h", "n", "v"]);
    let error = made_in(&base, &recipe).unwrap_err().to_string();
    assert!(
        error.contains("model of the recipe: cannot read") && error.contains("squid.toml"),
        "{error}"
    );
    // The recipe of the manifest needs no file, and asks for the same set.
    assert_eq!(made_in(&base, &kept).unwrap().kept, 6);

    let changed = SQUID.replace("value = 0.12,", "value = 0.13,");
    std::fs::write(base.join("squid.toml"), changed).unwrap();
    let error = made_in(&base, &recipe).unwrap_err().to_string();
    assert!(
        error.contains(
            "`request.recipe.model.param.gna.value` is 0.12 there, but 0.13 was requested"
        ),
        "{error}"
    );
    std::fs::remove_dir_all(base).unwrap();
}

#[test]
fn a_recipe_holds_a_fiber_as_a_table() {
    let (recipe, base) = squids("own-table");
    let error = recipe.check().unwrap_err().to_string();
    assert!(error.contains("has not been read"), "{error}");
    let read = recipe.with_model_read(&base).unwrap();
    read.check().unwrap();
    std::fs::remove_dir_all(base).unwrap();
    let text = read.to_toml().unwrap();
    let again = Recipe::from_toml(&text).unwrap();
    assert_eq!(again.to_toml().unwrap(), text);
    again.check().unwrap();
    // An error in a table names its place in the recipe.
    let error = Recipe::from_toml(&text.replace("gk*n^4", "gk*n^")).unwrap_err();
    assert!(error.to_string().contains("current 2, g"), "{error}");
    let squids_only = Recipe {
        diameter_um: Range::uniform(0.05, 2.0),
        ..again
    };
    let error = squids_only.check().unwrap_err().to_string();
    assert!(error.contains("as model `my-squid` has it"), "{error}");
}
