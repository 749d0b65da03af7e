"""Results written for people, spreadsheets and DICOM."""
