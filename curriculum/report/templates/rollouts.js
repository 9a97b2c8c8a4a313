startExamples();
