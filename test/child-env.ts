/** The environment of a child whose stderr is compared. uvu sets FORCE_COLOR; together with NO_COLOR, Node would warn there. */
export const CHILD_ENV = { ...process.env, FORCE_COLOR: undefined }
