// Goes up with every change of a derived file's bytes: the same journal gives the same bytes only for the same view
// version, which the journal's header names.

export const viewVersion = 7;
