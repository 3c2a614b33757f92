//! The shape of the documents of a colony: a new one's is the user's, an existing one keeps its own.

use std::path::Path;

use super::index::Index;
use super::naming::Kept;
use super::place::{Settings, shown};
use crate::cli::item::Skipped;
use crate::cli::shape::Shape;
use crate::cli::source::StandardInput;
use crate::cli::{Failure, say};

/// The shape of the documents, the colony's schema, and what the sample of an inferred schema left out.
pub(super) type Shaped<'a> = (Shape<'a>, Kept, Vec<Skipped>);

impl Index {
    /// Returns the shape of the documents to index. `stored` is what the colony was created with.
    pub(super) fn shape(
        &self,
        stored: Option<&Settings>,
        standard: &StandardInput,
    ) -> Result<Shaped<'_>, Failure> {
        let (mut shape, left_out) = match (self.reading.schema.as_deref(), stored) {
            (None, Some(stored)) => (self.continued(stored)?, Vec::new()),
            (None, None) => (Shape::plain(&self.reading, true)?, Vec::new()),
            (Some(file), _) if !self.reading.infers() => {
                (Shape::from_file(file, &self.reading)?, Vec::new())
            }
            (Some(_), _) => self.inferred(standard)?,
        };
        let kept = Kept::new(shape.schema.clone(), shape.is_plain())?;
        if let Some(stored) = stored {
            self.check(&kept, stored)?;
        }
        shape.last(kept.whole.clone());
        Ok((shape, kept, left_out))
    }

    fn inferred(&self, standard: &StandardInput) -> Result<(Shape<'_>, Vec<Skipped>), Failure> {
        let (shape, inferred) = Shape::inferred(&self.reading, true, standard)?;
        say("schema", &shape.schema.to_json());
        inferred.warnings.iter().for_each(|one| say("warning", one));
        let left_out = inferred.left_out.into_iter();
        Ok((shape, left_out.map(|(_, one)| one).collect()))
    }

    /// Returns the shape that an existing colony has.
    fn continued(&self, stored: &Settings) -> Result<Shape<'_>, Failure> {
        let directory = shown(&self.data.directory);
        if !stored.kept.is_ours() {
            let what = "has no names of documents, since another program made it";
            return Err(format!("the colony in {directory} {what}: it can only be read").into());
        }
        if stored.kept.is_plain() {
            let mut shape = Shape::plain(&self.reading, true)?;
            if self.reading.analyzer.is_none() {
                shape.schema = stored.kept.visible.clone();
            }
            return Ok(shape);
        }
        let reading = &self.reading;
        let useless = [
            ("--text-field", reading.text_field.is_some()),
            ("--title-field", reading.title_field.is_some()),
            ("--analyzer", reading.analyzer.is_some()),
        ];
        if let Some((option, _)) = useless.iter().find(|(_, is_given)| *is_given) {
            let why = "has a schema of its own, which says how records are read";
            return Err(format!("{option} has no effect: the colony in {directory} {why}").into());
        }
        Ok(Shape::of(stored.kept.visible.clone(), reading))
    }

    /// Refuses another schema than the colony's.
    fn check(&self, given: &Kept, stored: &Settings) -> Result<(), Failure> {
        if given.whole == stored.kept.whole {
            return Ok(());
        }
        let directory = shown(&self.data.directory);
        let schema = stored.kept.visible.to_json();
        let (option, what) = match self.reading.schema.as_deref() {
            None => ("--analyzer", "another analyzer was given".to_owned()),
            Some(_) if self.reading.infers() => {
                ("--schema", "this input has another one".to_owned())
            }
            Some(file) => ("--schema", format!("{} has another one", name(file))),
        };
        let kind = if stored.kept.is_plain() {
            "default "
        } else {
            ""
        };
        Err(format!(
            "the colony in {directory} has the {kind}schema {schema}, but {what}: leave {option} out, or index into another directory"
        )
        .into())
    }
}

fn name(file: &Path) -> String {
    crate::cli::document::normalised(file)
}
