from django.http import HttpResponse
from django.urls import path

app_name = "hearback"
urlpatterns = [path("reply/<str:token>/", lambda request, token: HttpResponse(token), name="reply")]
