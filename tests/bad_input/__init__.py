"""Bad input: every case ends as an accepted event or as one reason of rejection, and golden.tsv says which.

`python -m tests.bad_input` writes golden.tsv anew from what the product decides; its diff is then read by a person
against contract.md, section 2, and ARCHITECTURE.md, "Where the contract leaves room".
"""
