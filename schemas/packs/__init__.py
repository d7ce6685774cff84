"""Templates to start from: each passes `scorestream templates check` as it stands, in Chinese and in English."""
