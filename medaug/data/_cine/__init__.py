"""From files to a cine: slices over time, from DICOM and NIfTI."""
