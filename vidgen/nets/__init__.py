"""Networks, in torch: used to train and to export, never at run time."""
